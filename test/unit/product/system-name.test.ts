import { arch, release, type } from 'node:os'
import { expect, it } from 'vitest'
import { systemName } from '#main/product'
import { temporaryFolder } from '#test/temporary-folder'

const kernel = `${type()} ${release()} ${arch()}`

it.skipIf(process.platform !== 'linux')('names the distribution, the kernel and the processor', async () => {
  await using folder = await temporaryFolder()
  const named = await folder.write('named', 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME=x\n')
  expect(systemName(named)).toBe(`Debian GNU/Linux 13 (trixie), ${kernel}`)
  const plain = await folder.write('plain', 'ID=small\n')
  expect(systemName(plain)).toBe(kernel)
  expect(systemName('/nowhere/os-release')).toBe(kernel)
})
