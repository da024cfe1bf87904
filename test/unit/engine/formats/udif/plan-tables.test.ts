import { describe, expect, it } from 'vitest'
import { planTables } from '#engine/formats/udif'

describe('the tables of a disk with a GPT', () => {
  const partition = { index: 1, name: 'data', type: 'Linux filesystem', filesystem: 'ext4', label: null }

  it.each([
    [512, 1, 2, 34, 32],
    [4096, 8, 16, 48, 32],
  ])('are cut by its blocks of %i bytes', (mapBlockBytes, block, header, table, tail) => {
    const sectors = 64 * 2048
    const tables = planTables({
      partitionMap: 'gpt',
      mapBlockBytes,
      sizeBytes: sectors * 512,
      partitions: [{ ...partition, offset: 2 ** 20, sizeBytes: 32 * 2 ** 20 }],
    })
    expect(
      tables.map(({ name, firstSector, sectorCount }) => `${name} ${firstSector}+${sectorCount}`),
    ).toEqual([
      `Protective Master Boot Record (MBR : 0) 0+${block}`,
      `GPT Header (Primary GPT Header : 1) ${block}+${header - block}`,
      `GPT Partition Data (Primary GPT Table : 2) ${header}+${table - header}`,
      ` (Apple_Free : 3) ${table}+${2048 - table}`,
      `data (Linux filesystem : 4) 2048+${32 * 2048}`,
      ` (Apple_Free : 5) ${33 * 2048}+${sectors - tail - block - 33 * 2048}`,
      `GPT Partition Data (Backup GPT Table : 6) ${sectors - tail - block}+${tail}`,
      `GPT Header (Backup GPT Header : 7) ${sectors - block}+${block}`,
    ])
  })
})
