import { expect, test } from 'vitest'
import { describeImageTask, describeRestore } from '#engine/job'
import { aRequest, planFor, sandisk, systemImage } from '#test/ui-fixtures'

const plan = planFor(aRequest(), [sandisk], [systemImage])
const withPassword = 'https://lab:secret@images.example/Lab%20Mac.dmg'

test('a restore is called after its image and its disk', () => {
  expect(describeRestore(plan).title).toBe(`${systemImage.name} → ${plan.target?.name}`)
})

test('a restore whose ends are not known yet is called as was asked, without a password', () => {
  const request = { ...plan.request, source: withPassword, target: '/dev/sdx' }
  expect(describeRestore({ ...plan, request, source: null, target: null }).title).toBe(
    'https://images.example/Lab%20Mac.dmg → /dev/sdx',
  )
})

test('work on an image is called after its file, wherever that lies', () => {
  const titles = ['/images/Lab.dmg', '/images/Lab.sparsebundle/', withPassword].map(
    (path) => describeImageTask({ kind: 'verify', path }).title,
  )
  expect(titles).toEqual(['Lab.dmg', 'Lab.sparsebundle', 'Lab Mac.dmg'])
})
