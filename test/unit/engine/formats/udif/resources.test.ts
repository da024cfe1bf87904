import { describe, expect, it } from 'vitest'
import { mishStruct } from '#engine/formats/udif'
import { ExtentBuilder } from '#src/main/engine/formats/udif/extent-builder.ts'
import { ResourceCollector } from '#src/main/engine/formats/udif/resources.ts'
import { failureOf } from '#test/format-errors'

const place = (type: string) => ({ type, fileOffset: 7, atMostBytes: 1000 })

function collector(): ResourceCollector {
  return new ResourceCollector(new ExtentBuilder(), 0)
}

describe('the resources of an image', () => {
  it('are kept when they tell of a scan, and passed over when not', () => {
    const resources = collector()
    for (const type of ['cSum', 'LPic', 'nsiz', 'TEXT', 'size', 'plst']) {
      resources.begin(place(type))
      resources.push(new Uint8Array([1, 2]))
      resources.push(new Uint8Array([3]))
      resources.end({ id: 4, name: '' })
    }
    expect(resources.resources.map(({ type, id, data }) => [type, id, [...data]])).toEqual([
      ['cSum', 4, [1, 2, 3]],
      ['nsiz', 4, [1, 2, 3]],
      ['size', 4, [1, 2, 3]],
    ])
    expect(resources.tables).toEqual([])
  })

  it('are copied, so that the buffer they came from can be used again', () => {
    const resources = collector()
    const bytes = new Uint8Array([1])
    resources.begin(place('nsiz'))
    resources.push(bytes)
    bytes[0] = 9
    resources.end({ id: 0, name: '' })
    expect([...(resources.resources[0]?.data ?? [])]).toEqual([1])
  })

  it('are let go when they are far larger than what a scan leaves', () => {
    const resources = collector()
    for (const count of [1, 2000]) {
      resources.begin(place('nsiz'))
      for (let index = 0; index < count; index++) resources.push(new Uint8Array(1000))
      resources.end({ id: count, name: '' })
    }
    expect(resources.resources.map(({ id }) => id)).toEqual([1])
  })

  it('are no more than an image can need', () => {
    const resources = collector()
    for (let index = 0; index < 5000; index++) {
      resources.begin(place('cSum'))
      resources.end({ id: index, name: '' })
    }
    expect(resources.resources).toHaveLength(4096)
  })

  it('have a bounded number of tables', () => {
    const resources = collector()
    const table = mishStruct.encode({ signature: 'mish', version: 1 })
    const add = () => {
      resources.begin(place('blkx'))
      resources.push(table)
      resources.end({ id: 0, name: '' })
    }
    for (let index = 0; index < 65_536; index++) add()
    expect(failureOf(add)).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'blkx', offset: 7 })
  })

  it('that are tables must be whole ones', () => {
    const resources = collector()
    resources.begin(place('blkx'))
    resources.push(new TextEncoder().encode('mish'))
    expect(failureOf(() => resources.end({ id: 0, name: '' }))).toMatchObject({
      field: 'mish.version',
      offset: 11,
    })
  })
})
