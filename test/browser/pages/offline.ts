/** The page of the offline tests: one document with the option `offline`, and what happened to it. */
import * as Y from 'yjs'
import { type InkwireOptions, InkwireProvider } from '../../../client/index.js'
import * as device from '../../../client/offline/index.js'

export interface OfflineScene {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly provider: InkwireProvider
  /** Every state that the app was told, in order. */
  readonly saves: string[]
  readonly devices: string[]
  readonly closes: number[]
}

const joinOffline = (server: string, name: string, options: InkwireOptions = {}): OfflineScene => {
  const doc: Y.Doc = new Y.Doc()
  const text: Y.Text = doc.getText('t')
  const saves: string[] = []
  const devices: string[] = []
  const closes: number[] = []
  const provider = new InkwireProvider(server, name, doc, { offline: true, maxBackoffTime: 100, ...options })
  provider.on('save', ({ status }) => saves.push(status))
  provider.on('device', ({ status, error }) => devices.push(error ? `${status} ${error.code}` : status))
  provider.on('closed', ({ code }) => closes.push(code))
  const joined = { doc, text, provider, saves, devices, closes }
  Object.assign(window, joined)
  return joined
}

const exported = { Y, InkwireProvider, device, joinOffline }

declare global {
  interface Window extends OfflinePage {}
}
export type OfflinePage = typeof exported & OfflineScene

Object.assign(window, exported)
