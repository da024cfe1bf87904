import { expect, test } from 'vitest'
import { explainPkexec } from '#src/main/engine-client/elevated-host.ts'

/** Exit codes and texts: pkexec(1), and pkexec 126 as it ran on Debian. */
test.each([
  [126, 'Error executing command as another user: Request dismissed', 'E_AUTH_CANCEL'],
  [
    127,
    'Error executing command as another user: Not authorized\n\nThis incident has been reported.',
    'E_DENIED',
  ],
  [127, 'Error executing command as another user: No authentication agent found.', 'E_AUTH_NOAGENT'],
  [127, '', 'E_AUTH_NOAGENT'],
])('exit %i, %s: %s', (exitCode, said, code) => {
  const end = { exitCode, signal: null, lastLines: said.split('\n'), errno: null }
  expect(explainPkexec(end)).toMatchObject({ code })
})

test.each([
  [
    'Error executing command as another user: No authentication agent found.',
    { missing: 'agent', packages: ['polkit-kde-agent-1', 'mate-polkit', 'lxpolkit'] },
  ],
  [
    'Error getting authority: Could not connect: No such file or directory',
    { stderr: 'Error getting authority: Could not connect: No such file or directory' },
  ],
])('of exit 127, %s tells what is missing', (said, details) => {
  const end = { exitCode: 127, signal: null, lastLines: [said], errno: null }
  expect(explainPkexec(end)?.details).toEqual({ path: 'pkexec', ...details })
})

test.each([
  [1, null],
  [null, 'SIGSEGV'],
  [0, null],
])('exit %s, signal %s is the host’s own end', (exitCode, signal) => {
  expect(explainPkexec({ exitCode, signal, lastLines: [], errno: null })).toBeNull()
})
