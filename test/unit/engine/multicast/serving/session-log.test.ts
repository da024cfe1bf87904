import { expect, it } from 'vitest'
import { createLogger, lineText } from '#shared/log'
import { createSessionLog } from '#src/main/engine/multicast/serving/session-log.ts'
import { sessionClient, sessionState } from '#test/session-fixtures'

it('says once that a session begins, that it is sent from elsewhere, and that it ended', () => {
  const lines: string[] = []
  const log = createLogger(
    (line) => lines.push(lineText(line)),
    () => 0,
  )
  const tell = createSessionLog(log)
  const lab = sessionState('Lab')
  tell([lab])
  tell([lab, sessionState('Other', { endedMs: 5 })])
  const moved = sessionState('Lab', { address: '10.0.0.9' })
  tell([moved])
  tell([moved])
  const clients = [sessionClient({ state: 'done' }), sessionClient({ clientId: 'b', state: 'lost' })]
  const ended = sessionState('Lab', { phase: 'ended', endedMs: 3_500, sentBytes: 9, clients })
  tell([ended])
  tell([ended])
  expect(lines).toEqual([
    `a session begins  name=Lab source=/images/Lab.dmg group=239.255.1.2 port=7800 ttl=3 dataRate=6000000 interface=eth0 password=false session=${lab.sessionId}`,
    `a session is sent from another address  name=Lab before=${lab.address} address=10.0.0.9`,
    `a session ended  name=Lab phase=ended seconds=2.5 sentBytes=9 clients=2 finished=1 session=${lab.sessionId}`,
  ])
})
