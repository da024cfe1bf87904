/** The rates of a stream that runs. They hold from the next packet on. */
import { useState } from 'react'
import { Button, Form, Sheet, TextInput } from '#renderer/components'
import {
  inMegabytes,
  parseClientRate,
  parseRate,
  useActions,
  useBoth,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import type { SessionState } from '#shared/model'
import { formatStreamRate } from '#shared/words'
import { describeField } from './text.ts'

const ratedSession = ({ sessions }: EngineMirror, { sheet }: ViewState) =>
  (sheet?.kind === 'stream-rate' ? sessions.find(({ sessionId }) => sessionId === sheet.sessionId) : null) ??
  null

export function RateSheet() {
  const session = useBoth(ratedSession)
  return session && <Rates session={session} />
}

function Rates({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const { configuration } = session.settings
  const [dataRate, setDataRate] = useState(inMegabytes(configuration.dataRate))
  const [clientDataRate, setClientDataRate] = useState(
    configuration.clientDataRate === null ? '' : inMegabytes(configuration.clientDataRate),
  )
  const rate = parseRate(dataRate)
  const clientRate = parseClientRate(clientDataRate)
  const send = () => {
    if (rate !== null && clientRate !== null)
      void actions.setStreamRate(session.sessionId, {
        dataRate: rate,
        clientDataRate: clientRate === 0 ? null : clientRate,
      })
  }
  return (
    <Sheet
      size="form"
      title={`Data rate of '${session.settings.name}'`}
      onClose={actions.closeSheet}
      actions={
        <>
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look="primary" isDisabled={rate === null || clientRate === null} onPress={send}>
            Change
          </Button>
        </>
      }
    >
      <Form onSubmit={send}>
        <TextInput
          label="Data rate"
          value={dataRate}
          onChange={setDataRate}
          autoFocus
          narrow
          beside={<span className="secondary">MB/s</span>}
          error={rate === null ? describeField('dataRate', 'bad') : null}
          hint={rate === null ? undefined : formatStreamRate(rate)}
        />
        <TextInput
          label="Client data rate"
          value={clientDataRate}
          onChange={setClientDataRate}
          narrow
          placeholder="Off"
          beside={<span className="secondary">MB/s</span>}
          error={clientRate === null ? describeField('clientDataRate', 'bad') : null}
          hint="The stream slows down to the slowest disk, but not below this."
        />
      </Form>
    </Sheet>
  )
}
