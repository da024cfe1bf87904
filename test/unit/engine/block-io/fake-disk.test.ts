/** The disk in memory that other tests restore to: it must be as strict as a real one. */
import { FakeDisk, makeDisk } from '#test/fake-disk'
import { describeSink } from '#test/sink-conformance'

const roomBytes = 16 * 1024 * 1024

const traits = { roomBytes, takesUnaligned: false, waitsAtClose: false }

describeSink('a disk in memory', traits, async () => {
  const fake = new FakeDisk(makeDisk({ path: '/dev/fake', sizeBytes: roomBytes }))
  const sink = fake.openSink('/dev/fake')
  return {
    sink,
    stored: async (lengthBytes) => fake.bytes.subarray(0, lengthBytes),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
})
