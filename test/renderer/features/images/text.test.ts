import { expect, it } from 'vitest'
import { originalSize } from '#src/renderer/features/images/text.ts'
import { systemImage } from '#test/ui-fixtures'

it('tells what there is before a conversion with its ratio', () => {
  expect(originalSize(systemImage)).toBe('14.2 GB disk in 5.8 GB, 41 %')
  expect(originalSize({ ...systemImage, sizeBytes: null })).toBe('5.8 GB stored')
})
