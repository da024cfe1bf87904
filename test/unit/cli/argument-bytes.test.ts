import { describe, expect, it } from 'vitest'
import { refuseBrokenText } from '#src/main/cli/argument-bytes.ts'

const latin1 = Buffer.from('node\0reprise\0image\0info\0caf\xe9.dmg\0', 'latin1')
const utf8 = Buffer.from('node\0reprise\0image\0info\0caf\uFFFD.dmg\0', 'utf8')
const argv = ['image', 'info', 'caf\uFFFD.dmg']
const refusal = (args: readonly string[], bytes: Uint8Array | null) => () =>
  refuseBrokenText(args, () => bytes)

describe('a name in the arguments', () => {
  it('is said to be no text, rather than not to be there', () => {
    expect(refusal(argv, latin1)).toThrow(
      expect.objectContaining({
        code: 'E_USAGE',
        message: "'caf\uFFFD.dmg' isn't text in UTF-8, and only names that are can be opened.",
      }),
    )
  })

  it('passes when it has the replacement character of its own, or nothing more is known', () => {
    expect(refusal(argv, utf8)).not.toThrow()
    expect(refusal(argv, null)).not.toThrow()
    expect(refusal(['image', 'info', 'café.dmg'], latin1)).not.toThrow()
  })
})
