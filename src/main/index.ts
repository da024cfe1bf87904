/** Electron's entry. Connects, and decides nothing. */
import { join } from 'node:path'
import * as electron from 'electron'
import { startApp } from '#main/app'

// Not awaited: Electron is ready only after this module has run to its end.
void startApp({ electron, preload: join(import.meta.dirname, '../preload/preload.cjs') })
