/** Image formats in words. */
import type { ImageFormat } from '#shared/model'

const formats: { readonly [format in ImageFormat]: string } = {
  UDRW: 'UDIF read/write',
  UDRO: 'UDIF read-only',
  UDCO: 'UDIF read-only compressed (ADC)',
  UDZO: 'UDIF read-only compressed (zlib)',
  UDBZ: 'UDIF read-only compressed (bzip2)',
  ULFO: 'UDIF read-only compressed (LZFSE)',
  ULMO: 'UDIF read-only compressed (LZMA)',
  UDxx: 'UDIF read-only compressed (several ways)',
  UDSP: 'Sparse disk image',
  UDSB: 'Sparse bundle disk image',
  raw: 'Raw disk image',
  'raw.gz': 'Raw disk image compressed with gzip',
  'raw.bz2': 'Raw disk image compressed with bzip2',
  'raw.xz': 'Raw disk image compressed with xz',
  'raw.zst': 'Raw disk image compressed with Zstandard',
}

/** `UDZO` → `UDIF read-only compressed (zlib)`. What isn't one of ours stays as it is. */
export function describeFormat(format: string): string {
  return Object.hasOwn(formats, format) ? formats[format as ImageFormat] : format
}
