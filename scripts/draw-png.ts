/** Small pictures drawn by a formula, as PNG (W3C PNG, third edition): no picture of anyone else's is needed. */
import { crc32, deflateSync } from 'node:zlib'

/** Red, green, blue from 0 to 255 at a place; x and y from 0 to 1, y downwards. */
export type Paint = (x: number, y: number) => readonly [number, number, number]

export function drawPng(width: number, height: number, paint: Paint): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      rows.set(
        paint((column + 0.5) / width, (row + 0.5) / height).map((part) =>
          Math.round(Math.max(0, Math.min(255, part))),
        ),
        row * (1 + width * 3) + 1 + column * 3,
      )
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
