/** ISO 9660 (ECMA-119): the primary volume descriptor. */
import { cleanLabel, type Sniffer } from './volume.ts'

const descriptorAt = 32_768

export const sniffIso9660: Sniffer = ({ head }) => {
  const descriptor = head.subarray(descriptorAt, descriptorAt + 2048)
  if (descriptor.toString('latin1', 1, 6) !== 'CD001') return null
  const isPrimary = descriptor.readUInt8(0) === 1
  return {
    filesystem: 'iso9660',
    version: null,
    label: isPrimary ? cleanLabel(descriptor.toString('latin1', 40, 72)) : null,
    sizeBytes: isPrimary ? descriptor.readUInt32LE(80) * descriptor.readUInt16LE(128) : null,
  }
}
