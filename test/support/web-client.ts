/** A window without a page: signs in at a web host as the page does, and speaks its contract. */
import { WebSocket } from 'ws'
import type { WebHost } from '#test/web-host'
import {
  connectContract,
  uiContract,
  webProtocol,
  type Connection,
  type FrameTransport,
  type UiContract,
} from '#shared/contract'

/** Exchanges the link's token. Throws with the HTTP status when it isn't good. */
export async function signIn({ url, origin }: Pick<WebHost, 'url' | 'origin'>): Promise<string> {
  const answer = await fetch(`${origin}/session`, {
    method: 'POST',
    headers: { origin, 'content-type': 'text/plain' },
    body: new URL(url).searchParams.get('token') ?? '',
  })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return answer.text()
}

/** Another tab: the same session. */
export async function openTab(origin: string, session: string): Promise<Connection<UiContract>> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/rpc`, [webProtocol, session], { origin })
  const transport = overSocket(socket)
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  return connectContract(uiContract, transport)
}

function overSocket(socket: WebSocket): FrameTransport {
  const early: string[] = []
  let deliver: (text: string) => void = (text) => void early.push(text)
  socket.on('message', (data: Buffer) => deliver(data.toString('utf8')))
  return {
    send: (text) => socket.send(text),
    onFrame(listener) {
      deliver = listener
      for (const text of early.splice(0)) listener(text)
    },
    onClose(listener) {
      socket.on('close', (code) => listener(new Error(`closed with ${code}`)))
    },
    close: () => socket.close(),
  }
}
