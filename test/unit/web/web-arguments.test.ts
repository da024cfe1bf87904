import { expect, test } from 'vitest'
import { parseWebArguments } from '#src/main/web/web-arguments.ts'

test.each([
  [[], { port: 0, open: false }],
  [['--port', '8080'], { port: 8080, open: false }],
  [['--port=65535', '--open'], { port: 65_535, open: true }],
])('%j is %j', (argv, expected) => {
  expect(parseWebArguments(argv)).toEqual(expected)
})

test.each([
  [['--port', '65536']],
  [['--port', '-1']],
  [['--port', '0x10']],
  [['--port']],
  [['--host', '0.0.0.0']],
  [['x']],
])('%j is refused', (argv) => {
  expect(() => parseWebArguments(argv)).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
})
