import { describe, expect, it } from 'vitest'
import { scanInfoFacts, scannedPartitions } from '#src/renderer/features/images/scan-facts.tsx'
import { systemImage } from '#test/ui-fixtures'

const { scan } = systemImage
if (!scan) throw new Error('the fixture has a scan')
const named = (facts: ReturnType<typeof scanInfoFacts>) =>
  Object.fromEntries(facts.map(({ name, value }) => [name, value]))

describe('what is told of a scan', () => {
  it('by what, whether it can be streamed, and that there are block hashes', () => {
    expect(named(scanInfoFacts(systemImage, scan))).toMatchObject({
      By: 'Reprise 0.1.0',
      'Stream-ready': 'Yes: the data is in order',
      'Block hashes': '13,543 blocks of 1.05 MB, SHA-256',
    })
  })

  it('that another program made it, and stored no block hashes', () => {
    const theirs = { ...scan, blocks: null, dateMs: null, scannedBy: null }
    const facts = named(scanInfoFacts({ inOrder: false, segmentCount: 1 }, theirs))
    expect(facts).toMatchObject({ By: 'Another program', 'Stream-ready': "No: the data isn't in order" })
    expect(facts).not.toHaveProperty('Scanned')
    expect(facts['Block hashes']).toContain('scan it with Reprise')
  })

  it('that what the server would refuse is not ready to be streamed', () => {
    const ready = (inOrder: boolean, segmentCount: number, blocks: typeof scan.blocks) =>
      named(scanInfoFacts({ inOrder, segmentCount }, { ...scan, blocks }))['Stream-ready']
    expect(ready(true, 3, scan.blocks)).toBe('No: it lies in several files')
    expect(ready(true, 1, null)).toBe('No: there are no block hashes')
    expect(ready(true, 1, scan.blocks)).toBe('Yes: the data is in order')
  })

  it('of each part by the name of its table, of which the map has one, too', () => {
    const [part] = scan.partitions
    if (!part) throw new Error('the fixture has a part')
    const parts = [part, { ...part, partNum: -1 }, { ...part, partNum: 40 }]
    expect(scannedPartitions(systemImage, { ...scan, partitions: parts }).map(({ title }) => title)).toEqual([
      'disk image (Apple_HFS : 2)',
      'Protective Master Boot Record (MBR : 0)',
      'Part 40',
    ])
  })
})
