/** Where Reprise keeps what belongs to a person: preferences, the Practice disk, the window's place. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folder may not exist yet. `REPRISE_DATA` names another one. */
export function dataFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const chosen = env['REPRISE_DATA']
  if (chosen !== undefined && chosen !== '') return chosen
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Reprise')
  if (platform === 'win32') return join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'Reprise')
  const shared = env['XDG_DATA_HOME']
  // The specification: "If an implementation encounters a relative path … it should consider the path invalid".
  return join(shared?.startsWith('/') ? shared : join(home, '.local', 'share'), 'reprise')
}
