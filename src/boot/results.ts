/** Results for the interface: the same pixels and files as every other way of running a job gives. */
import { tensorBytes, viewAs, type TensorType } from '../../kernels/kernel.ts'
import { err, ok } from '../base/result.ts'
import { cut, isInside, whole } from '../core/rect.ts'
import { outputFile } from '../spec/outputs.ts'
import { paletteTable, renderCounts } from '../spec/render.ts'
import type { Services } from '../ui/services.ts'

type ResultServices = Pick<Services, 'pixels' | 'outputFile'>

export const resultServices = (): ResultServices => {
  /** Tiles of one picture come in hundreds, and their colours are one table. */
  let last: { readonly key: string; readonly table: Uint8Array } | null = null
  const tableFor = (palette: 'sheet' | 'fire' | 'ice' | 'grey', iterations: number): Uint8Array => {
    const key = `${palette} ${iterations}`
    if (last?.key !== key) last = { key, table: paletteTable(palette, iterations) }
    return last.table
  }
  return {
    pixels(program, output, bytes, rect) {
      const type: TensorType = output
      if (bytes.byteLength !== tensorBytes(type) || !isInside(whole(type), rect)) return null
      const piece = cut(viewAs(type.dtype, bytes), type, rect)
      if (program.kind === 'image') return new Uint8ClampedArray(piece.buffer)
      if (program.kind !== 'mandelbrot') return null
      const { iterations, palette } = program
      return renderCounts(
        new Uint32Array(piece.buffer),
        rect,
        iterations,
        palette,
        tableFor(palette, iterations),
      )
    },
    async outputFile(program, output, bytes, format) {
      const type: TensorType = output
      if (bytes.byteLength !== tensorBytes(type)) {
        return err({ code: 'incomplete', text: 'The result is not complete.' })
      }
      try {
        const file = outputFile(program, type, bytes, format)
        return ok({
          file: new Blob([file.bytes], { type: file.mediaType }),
          extension: file.extension,
        })
      } catch {
        // The browser refuses strings and buffers beyond its own limits.
        return err({ code: 'too-large', text: 'This is too large for such a file; take NPY.' })
      }
    },
  }
}
