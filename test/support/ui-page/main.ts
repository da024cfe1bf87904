/** The window on a double: `window.double` moves it, `window.fixtures` has what to move it with. */
import { mount } from '#src/renderer/app/mount.tsx'
import { createUiDouble } from '#test/ui-double'
import * as streams from '#test/stream-fixtures'
import * as fixtures from '#test/ui-fixtures'
import { DeviceError, EngineGoneError, NetworkError, serializeError, VerificationError } from '#shared/errors'

const double = createUiDouble({
  devices: [
    fixtures.systemDisk,
    fixtures.archiveDisk,
    fixtures.sandisk,
    fixtures.smallStick,
    fixtures.card,
    fixtures.attachedImage,
    fixtures.practiceDisk,
  ],
  images: [
    fixtures.practiceImage,
    fixtures.systemImage,
    fixtures.unscannedImage,
    fixtures.lockedImage,
    fixtures.sparseImage,
    fixtures.webImage,
    fixtures.anImage({ path: '/home/ann/Images/ModularSystem 2.dmg', format: 'ULMO', scan: null }),
  ],
  passwords: { [fixtures.lockedImage.path]: 'sesame' },
})

double.interfaces = streams.interfaces
double.checks = streams.goodChecks

const page = {
  double,
  fixtures,
  streams,
  errors: { DeviceError, EngineGoneError, NetworkError, VerificationError, serializeError },
}
export type DoublePage = typeof page
Object.assign(window, page)

// The state that a test asks for before the window is drawn.
const preset = new URL(location.href).searchParams
if (preset.has('internal'))
  double.app = { ...double.app, preferences: { ...double.app.preferences, showInternalDisks: true } }
if (!preset.has('first'))
  double.app = {
    ...double.app,
    preferences: { ...double.app.preferences, practiceOffered: true, networkWarned: true },
  }
if (preset.has('empty')) double.devices = []
if (preset.has('unsupported')) {
  double.devices = []
  double.app = { ...double.app, supported: false, practice: null }
}
const host = preset.has('electron') ? 'electron' : 'web'
double.app = { ...double.app, host }

const root = document.getElementById('root')
if (root) mount(root, { connect: double.connect, host, pathForFile: null })
