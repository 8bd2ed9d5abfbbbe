import { byId, setText } from './dom.js'
import { type Report, STAGES, spoken } from './words.js'

const REMEDIES = { retry: 'Try again', reload: 'Reload', discard: 'Take the server’s' } as const

/** The status bar at the page's foot. */
export interface StatusView {
  render(report: Report): void
  /** Has a screen reader say something, once it has finished what it is saying. */
  announce(words: string): void
}

/**
 * @param help called when the reader asks for the remedy that the report named
 * @param pause called when the reader goes offline or online by the switch
 * @param paused how the switch is to begin with
 */
export const createStatusView = (
  help: (remedy: NonNullable<Report['remedy']>) => void,
  pause: (paused: boolean) => void,
  paused: boolean,
): StatusView => {
  const connection = byId('connection', HTMLElement)
  const headline = byId('headline', HTMLElement)
  const detail = byId('detail', HTMLElement)
  const saves = byId('saves', HTMLElement)
  const waiting = byId('waiting', HTMLElement)
  const stages = byId('stages', HTMLOListElement)
  const button = byId('remedy', HTMLButtonElement)
  const announcer = byId('announcer', HTMLElement)
  let remedy: Report['remedy'] = null
  let said: string | null = null
  button.addEventListener('click', () => remedy && help(remedy))
  const offline = byId('offline', HTMLButtonElement)
  offline.ariaChecked = String(paused)
  offline.addEventListener('click', () => {
    const next = offline.ariaChecked !== 'true'
    offline.ariaChecked = String(next)
    pause(next)
  })

  const announce = (words: string): void => setText(announcer, words)

  const renderStages = ({ stage, safePlace }: Report): void => {
    const reached = stage === null ? -1 : STAGES.indexOf(stage)
    STAGES.forEach((name, index) => {
      const item = stages.querySelector<HTMLElement>(`[data-stage=${name}]`)
      if (!item) return
      if (name === 'safe') setText(item, safePlace)
      item.classList.toggle('passed', index <= reached)
      if (index === reached) item.ariaCurrent = 'step'
      else item.removeAttribute('aria-current')
    })
  }

  return {
    announce,
    render(report) {
      connection.dataset.tone = report.tone
      stages.dataset.stage = report.stage ?? 'unknown'
      setText(headline, report.headline)
      setText(detail, report.detail)
      setText(waiting, report.waiting)
      saves.hidden = !report.editing
      renderStages(report)
      remedy = report.remedy
      button.hidden = remedy === null
      if (remedy) setText(button, REMEDIES[remedy])
      const words = spoken(report)
      if (words === null || words === said) return
      // That all is well at the start goes without saying.
      if (said !== null || report.tone !== 'calm') announce(words)
      said = words
    },
  }
}
