import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { maxFrameBytes } from '#shared/contract'
import { lineTransport } from '#src/main/stdio/line-transport.ts'

function pair() {
  const input = new PassThrough()
  const output = new PassThrough()
  const transport = lineTransport(input, output)
  const frames: string[] = []
  const reasons: string[] = []
  transport.onFrame((text) => frames.push(text))
  transport.onClose((reason) => reasons.push(reason.message))
  return { input, output, transport, frames, reasons }
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 10))

test('finds the same lines however the bytes are cut', async () => {
  const bytes = Buffer.from('{"a":1}\n\n{"ü":"é✓"}\n')
  const { input, frames } = pair()
  for (const byte of bytes) input.write(Buffer.of(byte))
  await soon()
  expect(frames).toEqual(['{"a":1}', '{"ü":"é✓"}'])
})

test('keeps the rest of a chunk for the next line', async () => {
  const { input, frames } = pair()
  input.write('one\ntw')
  input.write('o\nthree\n')
  await soon()
  expect(frames).toEqual(['one', 'two', 'three'])
})

test('closes at a line that has no end in sight', async () => {
  const { input, frames, reasons } = pair()
  input.write(Buffer.alloc(maxFrameBytes, 0x61))
  await soon()
  expect(reasons).toEqual([])
  input.write('b\n')
  await soon()
  expect(reasons).toEqual([`a line is longer than ${maxFrameBytes} bytes`])
  expect(frames).toEqual([])
})

test('closes at bytes that are not UTF-8', async () => {
  const { input, reasons } = pair()
  input.write(Buffer.of(0xff, 0xfe, 0x0a))
  await soon()
  expect(reasons).toEqual(['a line is not UTF-8'])
})

test('delivers nothing after it was closed in the middle of a chunk', async () => {
  const { input, transport, frames } = pair()
  input.write('one\n')
  await soon()
  transport.close(new Error('enough'))
  input.write('two\n')
  await soon()
  expect(frames).toEqual(['one'])
})

test('tells once when the other side ends, and late listeners too', async () => {
  const { input, transport, reasons } = pair()
  input.end()
  await soon()
  transport.onClose((reason) => reasons.push(`late: ${reason.message}`))
  expect(reasons).toEqual(['the other side ended', 'late: the other side ended'])
})

test('closes when the other side does not read', async () => {
  const { transport, reasons } = pair()
  const frame = 'x'.repeat(maxFrameBytes)
  for (let count = 0; count < 18; count += 1) transport.send(frame)
  expect(reasons).toEqual(['the other side does not read'])
})
