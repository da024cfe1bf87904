import { describe, expect, it } from 'vitest'
import { kolyStruct, parseKoly, type Koly } from '#engine/formats/udif'
import { failureOf } from '#test/format-errors'

const right = {
  signature: 'koly',
  version: 4,
  headerSize: 512,
  flags: 1,
  dataForkLength: 1000,
  xmlOffset: 1000,
  xmlLength: 500,
  segmentNumber: 1,
  segmentCount: 1,
  imageVariant: 1,
  sectorCount: 20_528,
}
const fileBytes = 1500 + 512
const parse = (lie: Partial<Koly>) => () => parseKoly(kolyStruct.encode({ ...right, ...lie }), fileBytes)

describe('the koly trailer', () => {
  it('has the fields where the format has them', () => {
    const places = {
      version: 4,
      headerSize: 8,
      flags: 12,
      runningDataForkOffset: 16,
      dataForkOffset: 24,
      dataForkLength: 32,
      rsrcForkOffset: 40,
      rsrcForkLength: 48,
      segmentNumber: 56,
      segmentCount: 60,
      segmentID: 64,
      dataChecksumType: 80,
      dataChecksumBits: 84,
      dataChecksum: 88,
      xmlOffset: 216,
      xmlLength: 224,
      codeSignatureOffset: 296,
      codeSignatureLength: 304,
      masterChecksumType: 352,
      masterChecksumBits: 356,
      masterChecksum: 360,
      imageVariant: 488,
      sectorCount: 492,
    } as const
    for (const [field, offset] of Object.entries(places))
      expect([field, kolyStruct.offsetOf(field as keyof typeof places)]).toEqual([field, offset])
    expect(kolyStruct.sizeBytes).toBe(512)
  })

  it('is read', () => {
    expect(parse({})()).toMatchObject(right)
  })

  it('may have no segment number, as some writers leave it', () => {
    expect(parse({ segmentNumber: 0, segmentCount: 0 })()).toMatchObject({ segmentCount: 0 })
  })

  it('names the field that cannot be right and its place in the file', () => {
    const at = (field: keyof Koly) => ({
      code: 'E_SRC_CORRUPT',
      format: 'udif',
      field: `koly.${field}`,
      offset: fileBytes - 512 + kolyStruct.offsetOf(field),
    })
    expect(failureOf(parse({ signature: 'kolz' }))).toEqual(at('signature'))
    expect(failureOf(parse({ version: 5 }))).toEqual(at('version'))
    expect(failureOf(parse({ headerSize: 511 }))).toEqual(at('headerSize'))
    expect(failureOf(parse({ xmlOffset: 1501 }))).toEqual(at('xmlOffset'))
    expect(failureOf(parse({ xmlLength: 501 }))).toEqual(at('xmlLength'))
    expect(failureOf(parse({ dataForkLength: 1501 }))).toEqual(at('dataForkLength'))
    expect(failureOf(parse({ dataForkOffset: 1501 }))).toEqual(at('dataForkOffset'))
    expect(failureOf(parse({ rsrcForkOffset: 1400, rsrcForkLength: 200 }))).toEqual(at('rsrcForkLength'))
    expect(failureOf(parse({ segmentNumber: 3, segmentCount: 2 }))).toEqual(at('segmentNumber'))
    expect(failureOf(parse({ segmentNumber: 0, segmentCount: 2 }))).toEqual(at('segmentNumber'))
    expect(failureOf(parse({ segmentNumber: 2, segmentCount: 1 }))).toEqual(at('segmentNumber'))
  })

  it('does not wrap around where offset and length together are larger than any number', () => {
    expect(failureOf(parse({ xmlOffset: 1000, xmlLength: Number.MAX_SAFE_INTEGER })).field).toBe(
      'koly.xmlLength',
    )
  })
})
