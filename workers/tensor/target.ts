/** What kind of adapter a device runs on, as the lowering wants to know it. */
import { labelOf } from '../gpu/device.ts'
import type { Target } from '../../kernels/tensor/draft.ts'

export const targetOf = (device: GPUDevice): Target => {
  const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapterInfo
  const fixed = device.features.has('subgroups') && least === most ? least : undefined
  return { family: labelOf(device.adapterInfo).kind, subgroup: fixed ?? null }
}
