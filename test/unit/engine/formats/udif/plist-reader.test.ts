import { describe, expect, it } from 'vitest'
import { PlistReader, type PlistEvents } from '#src/main/engine/formats/udif/plist-reader.ts'
import { failureOf } from '#test/format-errors'

/** What the reader tells, one word an event; data in hex, joined. */
function recorder() {
  const events: string[] = []
  let data = ''
  const handler: PlistEvents = {
    beginDict: () => void events.push('{'),
    endDict: () => void events.push('}'),
    beginArray: () => void events.push('['),
    endArray: () => void events.push(']'),
    key: (text) => void events.push(`${text}:`),
    text: (kind, text) => void events.push(text === '' ? kind : `${kind}=${text}`),
    beginData() {
      data = ''
    },
    data(bytes) {
      data += Buffer.from(bytes).toString('hex')
    },
    endData: () => void events.push(`<${data}>`),
  }
  return { events, handler }
}

function read(xml: string | Uint8Array, blockBytes = 1 << 20): string {
  const { events, handler } = recorder()
  const reader = new PlistReader(handler, 100, { format: 'udif', field: 'plist' })
  const bytes = Buffer.from(xml)
  for (let at = 0; at < bytes.length; at += blockBytes) reader.push(bytes.subarray(at, at + blockBytes))
  reader.end()
  return events.join(' ')
}

const header =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
const plist = (body: string) => `${header}<plist version="1.0">\n${body}\n</plist>\n`

const everyKind = plist(`<dict>
	<key>a &amp; b</key><string>&lt;x&gt; &#65;&#x42; &quot;&apos;</string>
	<!-- a comment -- with > in it -->
	<key>n</key><integer>-12</integer>
	<key>r</key><real>1.5</real>
	<key>d</key><date>2026-01-02T03:04:05Z</date>
	<key>t</key><true/>
	<key>f</key><false></false>
	<key>e</key><string/>
	<key>list</key><array><string>ü</string><array/><dict/></array>
	<key>data</key><data>
	AAEC
	AwQF Bg==
	</data>
	<key>none</key><data/>
</dict>`)
const everyKindEvents =
  '{ a & b: string=<x> AB "\' n: integer=-12 r: real=1.5 d: date=2026-01-02T03:04:05Z t: true f: false e: string ' +
  'list: [ string=ü [ ] { } ] data: <00010203040506> none: <> }'

describe('the plist reader', () => {
  it('tells every kind of value in order', () => {
    expect(read(everyKind)).toBe(everyKindEvents)
  })

  it('tells the same when the bytes come one at a time, or in any other pieces', () => {
    for (const blockBytes of [1, 2, 3, 5, 7, 64, 1000])
      expect(read(everyKind, blockBytes)).toBe(everyKindEvents)
  })

  it('decodes base64 of every length and line width', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) & 0xff))
      for (const width of [1, 3, 4, 52, 1000]) {
        const lines = bytes.toString('base64').replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\n\t\t')
        expect(read(plist(`<data>\n${lines}</data>`), 11)).toBe(`<${bytes.toString('hex')}>`)
      }
    }
  })

  it('does without declaration and DOCTYPE, and with a byte order mark and trailing NULs', () => {
    expect(read('\ufeff<plist><true/></plist>\0\0\n')).toBe('true')
  })

  it('passes over a comment inside data', () => {
    expect(read(plist('<data>AA<!-- x -->EC</data>'))).toBe('<000102>')
  })

  const refusals: Record<string, string> = {
    'a DOCTYPE that declares entities':
      '<!DOCTYPE plist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><string>&b;</string></plist>',
    'an unknown entity': plist('<string>&bomb;</string>'),
    'an entity without end': plist('<string>&amp</string>'),
    'a character that does not exist': plist('<string>&#x110000;</string>'),
    CDATA: plist('<string><![CDATA[x]]></string>'),
    'an encoding other than UTF-8': '<?xml version="1.0" encoding="UTF-16"?><plist><true/></plist>',
    'bytes that are not UTF-8': Buffer.from('<plist><string>\xff</string></plist>', 'latin1').toString(
      'latin1',
    ),
    'an element of another language': plist('<svg></svg>'),
    'another root': '<html></html>',
    'two values at the top': plist('<true/><true/>'),
    'no value': plist(''),
    'a value without key': plist('<dict><true/></dict>'),
    'a key without value': plist('<dict><key>a</key></dict>'),
    'two keys': plist('<dict><key>a</key><key>b</key></dict>'),
    'a key in an array': plist('<array><key>a</key></array>'),
    'elements that cross': plist('<dict><key>a</key><array></dict></array>'),
    'an element in a string': plist('<string><true/></string>'),
    'text between elements': plist('<dict>x</dict>'),
    'text in true': plist('<true>x</true>'),
    'a wrong base64 digit': plist('<data>AA*A</data>'),
    'base64 that is cut off': plist('<data>AAE</data>'),
    'padding in the middle': plist('<data>AA==AAAA</data>'),
    'too much padding': plist('<data>AAE==</data>'),
    'a tag in a tag': plist('<array <true/>></array>'),
    'something behind the end': `${plist('<true/>')}<plist/>`,
  }
  for (const [what, xml] of Object.entries(refusals))
    it(`refuses ${what}`, () => {
      const bytes = what.startsWith('bytes') ? Buffer.from(xml, 'latin1') : Buffer.from(xml)
      for (const blockBytes of [1, 1000])
        expect(failureOf(() => read(bytes, blockBytes))).toMatchObject({
          code: 'E_SRC_CORRUPT',
          format: 'udif',
          field: 'plist',
        })
    })

  it('refuses a plist that is cut off, wherever', () => {
    const bytes = Buffer.from(everyKind.trimEnd())
    for (let length = 0; length < bytes.length; length++)
      expect(failureOf(() => read(bytes.subarray(0, length))).code).toBe('E_SRC_CORRUPT')
  })

  it('names the place in the file', () => {
    const xml = plist('<dict><key>a</key><data>AAAA!</data></dict>')
    for (const blockBytes of [1, 16, 1000])
      expect(failureOf(() => read(xml, blockBytes)).offset).toBe(100 + xml.lastIndexOf('!'))
  })

  it('takes long strings, as licences have them', () => {
    const long = 'x'.repeat(200_000)
    expect(read(plist(`<string>${long}</string>`), 4096)).toBe(`string=${long}`)
  })

  it('bounds depth, text, tags and the number of elements', () => {
    const bombs = [
      plist('<array>'.repeat(1000)),
      plist(`<string>${'x'.repeat(300_000)}</string>`),
      `<plist version="${'1'.repeat(2000)}"><true/></plist>`,
      plist(`<array>${'<true/>'.repeat(1_000_001)}</array>`),
    ]
    for (const bomb of bombs) expect(failureOf(() => read(bomb)).code).toBe('E_SRC_CORRUPT')
  })
})
