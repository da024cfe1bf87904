/** What a browser's window can't do itself, done by the web host: looking into folders, finding a dropped file. */
import type { Shell } from '#main/ui-host'
import { listFolder, locateFile, usualPlaces } from '#main/ui-host'

export function webShell(practiceFolder: string): Shell {
  const places = usualPlaces(practiceFolder)
  return {
    host: 'web',
    chooseImage: async () => ({ kind: 'browse' }),
    chooseFolder: async () => ({ kind: 'browse' }),
    chooseTarget: async () => ({ kind: 'browse' }),
    chooseConfiguration: async () => ({ kind: 'browse' }),
    listFiles: ({ folder }) => listFolder(folder, places),
    locateFile: async (wanted, signal) => ({ path: await locateFile(wanted, places, signal) }),
  }
}
