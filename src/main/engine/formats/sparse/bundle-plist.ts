/** `Info.plist` of a sparse bundle: the size of the disk and of its bands. docs/formats/sparse.md §2. */
import { corrupt, formatError } from '#engine/formats/struct'
import { parseSmallPlist, type PlistDict } from '#engine/formats/udif'
import { sectorBytes } from '#shared/units'
import type { BandGeometry } from './band-layout.ts'

const bundleType = 'com.apple.diskimage.sparsebundle'
/** hdiutil writes 1 MiB to 8 GiB. */
const maxBandBytes = 2 ** 40

/** Throws `FormatError` E_SRC_FORMAT for another kind of bundle, E_SRC_CORRUPT for what isn't a plist or can't be right. */
export function parseBundlePlist(bytes: Uint8Array, path: string): BandGeometry {
  const problem = { format: 'sparsebundle', field: 'plist', offset: 0, path }
  if (Buffer.from(bytes.subarray(0, 6)).toString('latin1') === 'bplist')
    throw formatError('E_SRC_FORMAT', { ...problem, found: 'a binary plist', expected: 'an XML plist' })
  const dict = parseSmallPlist(bytes, { format: 'sparsebundle', field: 'plist' })
  const wanted: readonly (readonly [key: string, value: string | number])[] = [
    ['diskimage-bundle-type', bundleType],
    ['bundle-backingstore-version', 1],
  ]
  for (const [key, expected] of wanted) {
    const found = dict.get(key)
    if (found !== expected)
      throw formatError('E_SRC_FORMAT', { ...problem, field: key, found: shown(found), expected })
  }
  return {
    sizeBytes: readBytes(dict, 'size', Number.MAX_SAFE_INTEGER, path),
    bandBytes: readBytes(dict, 'band-size', maxBandBytes, path),
  }
}

function readBytes(dict: PlistDict, key: string, most: number, path: string): number {
  const found = dict.get(key)
  if (typeof found === 'number' && found > 0 && found <= most && found % sectorBytes === 0) return found
  const expected = `sectors, ${most} bytes at most`
  throw corrupt({ format: 'sparsebundle', field: key, offset: 0, path, found: shown(found), expected })
}

const shown = (value: ReturnType<PlistDict['get']>) =>
  value === undefined ? 'nothing' : typeof value === 'object' ? 'data' : value

/** As Apple's tools write it. */
export function encodeBundlePlist({ sizeBytes, bandBytes }: BandGeometry): Uint8Array {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>CFBundleInfoDictionaryVersion</key>
	<string>6.0</string>
	<key>band-size</key>
	<integer>${bandBytes}</integer>
	<key>bundle-backingstore-version</key>
	<integer>1</integer>
	<key>diskimage-bundle-type</key>
	<string>${bundleType}</string>
	<key>size</key>
	<integer>${sizeBytes}</integer>
</dict>
</plist>
`)
}
