/** What a model says of itself beside its numbers: a name, a version, a license. Any of them may be empty. */
import { fieldOf, isJson, textField } from './json-fields.ts'
import type { Gguf } from './gguf/read-head.ts'
import type { ModelFile } from './model-file.ts'

export type About = {
  readonly name: string
  readonly version: string
  /** As the files say it; empty where they say nothing. */
  readonly license: string
}

/** As much as a manifest takes. */
const [NAME_MAX, VERSION_MAX, LICENSE_MAX] = [80, 40, 120]
/** The front matter is at its beginning, and a few lines long. */
const CARD_BYTES = 16_384

export const ggufAbout = ({ about }: Gguf, file: string): About => {
  const text = (key: string): string => {
    const value = about.get(`general.${key}`)
    return typeof value === 'string' ? value : ''
  }
  return {
    name: tidy(text('name') || file.replace(/\.gguf$/, ''), NAME_MAX),
    version: tidy(text('version'), VERSION_MAX),
    license: tidy(text('license') || text('license.name'), LICENSE_MAX),
  }
}

/** @param card README.md, whose front matter says on Hugging Face what the license is */
export const folderAbout = async (
  config: unknown,
  card: ModelFile | undefined,
  folder: string,
): Promise<About> => {
  const json = isJson(config) ? config : {}
  const path = textField(json, '_name_or_path') ?? ''
  const license = fieldOf(json, 'license')
  return {
    name: tidy(path.split(/[/\\]/).findLast((part) => part !== '') || folder || 'model', NAME_MAX),
    version: tidy(textField(json, 'version') ?? '', VERSION_MAX),
    license: tidy(typeof license === 'string' ? license : await licenseOfCard(card), LICENSE_MAX),
  }
}

/** `other` is no license, and then has a name. */
const licenseOfCard = async (card: ModelFile | undefined): Promise<string> => {
  const read = await card?.read(0, Math.min(card.size, CARD_BYTES))
  if (read === undefined || !read.ok) return ''
  const text = new TextDecoder().decode(read.value).replaceAll('\r', '')
  const matter = /^---\n([\s\S]*?)\n---/.exec(text)?.[1] ?? ''
  const field = (name: string): string =>
    new RegExp(`^${name}: *["']?([^"'\\n]*)`, 'm').exec(matter)?.[1]?.trim() ?? ''
  const license = field('license')
  return license === 'other' ? field('license_name') || license : license
}

/** One line without letters that nobody can see. */
const tidy = (text: string, most: number): string =>
  text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/\p{C}/gu, '')
    .trim()
    .slice(0, most)
    .replaceAll(/\p{C}/gu, '')
