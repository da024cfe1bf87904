/**
 * Tells of streams and looks for them, in a process of its own: a namespace is entered by a process. Its one argument is JSON:
 * `{ "advertise": Advertisement[], "probeEveryMs": 500 }`. Prints a line of JSON for each change of what it finds, and one when its names change.
 * Runs until it is killed.
 */
import { browseStreams, createAdvertiser, type Advertisement } from '#engine/multicast/discovery'

const { advertise, probeEveryMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly advertise: readonly Advertisement[]
  readonly probeEveryMs: number
}
const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)
const advertiser = createAdvertiser({ host: 'reprise-box' })
advertiser.set(advertise)
let told = ''
const names = setInterval(() => {
  const now = JSON.stringify(advertiser.names())
  if (now !== told) say({ names: advertiser.names() })
  told = now
}, 50)
const browser = browseStreams((streams) => say({ streams }), { probeEveryMs })
process.on('SIGTERM', () => {
  clearInterval(names)
  void Promise.all([browser[Symbol.asyncDispose](), advertiser[Symbol.asyncDispose]()])
})
