/** The two regions a screen reader listens to, also while a sheet or a menu makes all else inert. */
import { useEffect, useState } from 'react'
import { realClock, useReprise } from '#renderer/store'
import type { ToldEnds } from '#shared/model'
import { announcement } from './announcements.ts'
import type { Moment } from './moment.ts'
import { sayTogether } from './said-together.ts'
import type { Cover } from './unheard.ts'

interface Said {
  readonly text: string
  readonly times: number
}

const nothing: Said = { text: '', times: 0 }

/** The same words again are heard only when they stand in an element of their own. */
const saying =
  (text: string) =>
  ({ times }: Said): Said => ({ text, times: times + 1 })

/** Asked of the page: only it knows of its menus. */
function coverOfPage(): Cover {
  if (document.querySelector('[inert] .notices') !== null) return 'panel-and-notices'
  return document.querySelector('[role=tabpanel][inert]') === null ? 'none' : 'panel'
}

export function Announcer() {
  const { mirror, view } = useReprise()
  const [polite, setPolite] = useState(nothing)
  const [urgent, setUrgent] = useState(nothing)
  useEffect(() => {
    const look = (): Moment => ({
      mirror: mirror.getState(),
      view: view.getState(),
    })
    const told: ToldEnds = new Map()
    const say = sayTogether(({ text, urgent: interrupts }) => {
      if (interrupts) setUrgent(saying(text))
      else setPolite(saying(text))
    }, realClock)
    let last = look()
    const follow = () => {
      const [before, now] = [last, look()]
      last = now
      // A change may take away the sheet or the menu that was open: the page is asked when it has followed.
      setTimeout(() => {
        const said = announcement(before, now, coverOfPage(), told)
        if (said) say(said)
      })
    }
    const ends = [mirror.subscribe(follow), view.subscribe(follow)]
    return () => ends.forEach((end) => end())
  }, [mirror, view])
  return (
    // By this name React Aria's overlays leave it alive.
    <div className="visually-hidden" data-live-announcer="true">
      <p role="status" data-announcer="polite">
        <span key={polite.times}>{polite.text}</span>
      </p>
      <p aria-live="assertive" data-announcer="urgent">
        <span key={urgent.times}>{urgent.text}</span>
      </p>
    </div>
  )
}
