import { describe, expect, test } from 'vitest'
import { safeName } from '#src/main/engine/multicast/file/plan-file.ts'

describe('the name that a server gives its image', () => {
  test.each([
    ['Lab 3.dmg', 'Lab 3.dmg'],
    ['../../etc/passwd', '_.._etc_passwd'],
    [' .bash_profile', 'bash_profile'],
    ['. .\t.bashrc ', 'bashrc'],
    [' ..', 'image.dmg'],
    ['', 'image.dmg'],
    [`${'ü'.repeat(120)} .profile`, `${'ü'.repeat(115)} .profile`],
    [`ab.${'x'.repeat(239)}`, 'x'.repeat(239)],
  ])('%j is a plain, visible file here', (imageName, name) => {
    expect(safeName(imageName)).toBe(name)
  })
})
