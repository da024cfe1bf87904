/** The two regions a screen reader listens to. */
import { useEffect, useState } from 'react'
import { useReprise } from '#renderer/store'
import { announcement, type Moment } from './announcements.ts'

interface Said {
  readonly text: string
  readonly times: number
}

const nothing: Said = { text: '', times: 0 }

/** The same words again are heard only when they stand in an element of their own. */
const saying =
  (text: string) =>
  ({ times }: Said): Said => ({ text, times: times + 1 })

export function Announcer() {
  const { mirror, view } = useReprise()
  const [polite, setPolite] = useState(nothing)
  const [urgent, setUrgent] = useState(nothing)
  useEffect(() => {
    let last: Moment = { mirror: mirror.getState(), view: view.getState() }
    const follow = () => {
      const now = { mirror: mirror.getState(), view: view.getState() }
      const said = announcement(last, now)
      last = now
      if (said) (said.urgent ? setUrgent : setPolite)(saying(said.text))
    }
    const ends = [mirror.subscribe(follow), view.subscribe(follow)]
    return () => ends.forEach((end) => end())
  }, [mirror, view])
  return (
    <div className="visually-hidden">
      <p role="status" data-announcer="polite">
        <span key={polite.times}>{polite.text}</span>
      </p>
      <p aria-live="assertive" data-announcer="urgent">
        <span key={urgent.times}>{urgent.text}</span>
      </p>
    </div>
  )
}
