import { describe, expect, it } from 'vitest'
import { AnswerPacer } from '#src/main/engine/multicast/port/answer-pacer.ts'

interface Sent {
  readonly name: string
  readonly atMs: number
  readonly bytes: number
}

/** Connections that have something long to say, on one pacer, and the time. */
function answersOn(rateNow: () => number) {
  const sent: Sent[] = []
  let [nowMs, woken] = [1000, 0]
  const pacer = new AnswerPacer({ rate: rateNow, wake: () => (woken += 1) })
  return {
    pacer,
    sent,
    get woken() {
      return woken
    },
    /** Say so many bytes. It can take no more than `room` until more is made of that. */
    say(name: string, bytes: number, { isLittle = true } = {}) {
      const answer = { left: bytes, room: Infinity, go: () => undefined as void }
      const pace = pacer.pace({
        isLittle: () => isLittle,
        go: () => answer.go(),
      })
      answer.go = () => {
        while (answer.left > 0 && answer.room > 0) {
          const length = Math.min(answer.left, pace.pieceBytes, answer.room)
          if (!pace.take(length, nowMs)) return
          answer.left -= length
          answer.room -= length
          sent.push({ name, atMs: nowMs, bytes: length })
        }
      }
      answer.go()
      return answer
    },
    /** As the loop does: whenever it is to be asked again, and a little later. */
    pass(ms: number, lateMs = 0) {
      const untilMs = nowMs + ms
      for (;;) {
        const dueMs = Math.min(pacer.serve(nowMs) + lateMs, nowMs + 200)
        if (dueMs >= untilMs) break
        nowMs = dueMs
      }
      nowMs = untilMs
    },
  }
}

const bytesOf = (sent: readonly Sent[], name?: string) =>
  sent.reduce((sum, piece) => sum + (name === undefined || piece.name === name ? piece.bytes : 0), 0)

/** In any 10 ms. */
function fullest(sent: readonly Sent[]): number {
  let [first, bytes, most] = [0, 0, 0]
  for (const piece of sent) {
    bytes += piece.bytes
    for (; (sent[first] as Sent).atMs <= piece.atMs - 10; first++) bytes -= (sent[first] as Sent).bytes
    most = Math.max(most, bytes)
  }
  return most
}

describe('what is said at length', () => {
  it.each([0, 1])('goes out at its rate, and never much faster, by a loop that is %i ms late', (lateMs) => {
    const rate = 1_000_000
    const lab = answersOn(() => rate)
    for (let index = 0; index < 4; index++) lab.say(`c${index}`, 1024 * 1024)
    lab.pass(2000, lateMs)
    expect(fullest(lab.sent)).toBeLessThanOrEqual(2 * (rate / 100) + 1024)
    expect(bytesOf(lab.sent)).toBeLessThanOrEqual((2 * rate) / 1.05 + 2 * (rate / 100))
    expect(bytesOf(lab.sent)).toBeGreaterThan(1.9 * (rate / 1.05))
  })

  it('takes turns, so that a short answer is not behind long ones', () => {
    const lab = answersOn(() => 1_000_000)
    for (let index = 0; index < 8; index++) lab.say(`block ${index}`, 16 * 1024 * 1024)
    lab.pass(1000)
    lab.say('short', 32 * 1024)
    lab.pass(500)
    expect(bytesOf(lab.sent, 'short')).toBe(32 * 1024)
    const shares = Array.from({ length: 8 }, (_, index) => bytesOf(lab.sent, `block ${index}`))
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * 10_000)
  })

  it('is heard by everyone each few seconds, however many wait', () => {
    const lab = answersOn(() => 500_000)
    for (let index = 0; index < 800; index++) lab.say(`c${index}`, 1024 * 1024)
    lab.pass(5000)
    expect(new Set(lab.sent.map(({ name }) => name)).size).toBe(800)
  })

  it('waits for nobody who cannot take it, or is gone', () => {
    const lab = answersOn(() => 1_000_000)
    const slow = lab.say('slow', 1024 * 1024)
    lab.say('quick', 1024 * 1024)
    slow.room = 0
    lab.pass(1500)
    expect(bytesOf(lab.sent, 'quick')).toBe(1024 * 1024)
    expect([lab.pacer.waiting, lab.pacer.blocks]).toEqual(['none', 0])
    slow.room = Infinity
    slow.go()
    lab.pass(1500)
    expect(slow.left).toBe(0)
  })

  it('has a part of the Data Rate left to it while it waits, and wakes who serves it', () => {
    const lab = answersOn(() => 1_000_000)
    expect(lab.pacer.waiting).toBe('none')
    lab.say('much', 1024 * 1024, { isLittle: false })
    expect([lab.pacer.waiting, lab.pacer.blocks, lab.woken]).toEqual(['much', 1, 1])
    lab.say('little', 1024)
    expect([lab.pacer.waiting, lab.pacer.blocks, lab.woken]).toEqual(['little', 2, 1])
    lab.pass(100)
    expect(lab.pacer.waiting).toBe('much')
    lab.pass(2000)
    expect([lab.pacer.waiting, lab.pacer.serve(0)]).toEqual(['none', Infinity])
  })

  it('goes out at once where the rate is far off', () => {
    const lab = answersOn(() => 10_000_000_000)
    for (let index = 0; index < 4; index++) lab.say(`c${index}`, 16 * 1024 * 1024)
    expect(bytesOf(lab.sent)).toBe(64 * 1024 * 1024)
    expect(lab.woken).toBe(0)
  })

  it('does not stand still when the rate has become low', () => {
    let rate = 10_000_000
    const lab = answersOn(() => rate)
    lab.say('c', 1024 * 1024)
    lab.pass(20)
    rate = 20_000
    const before = bytesOf(lab.sent)
    lab.pass(200)
    expect(bytesOf(lab.sent)).toBeGreaterThan(before)
  })
})
