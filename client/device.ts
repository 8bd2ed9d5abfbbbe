import { InkwireError } from '../shared/errors.js'
import type { DeviceCopy, DeviceHost, DeviceState } from './offline/contract.js'
import { type Outbox, report } from './outbox.js'

/** The device's copy of a document, wanted or not. */
export interface DeviceSlot extends DeviceCopy {
  /** The same object until something changes. */
  readonly state: DeviceState
  /** Begins to load the copy; it is kept from then on. */
  open(): void
}

/** All that a copy takes is loaded when it is asked for: who doesn't want it doesn't pay for it. */
export const createDeviceSlot = (
  host: Omit<DeviceHost, 'changed' | 'report'>,
  outbox: Outbox,
): DeviceSlot => {
  let state: DeviceState = { status: 'off', error: null }
  let copy: DeviceCopy | null = null
  let closed = false
  const changed = (next: DeviceState): void => {
    if (closed || (state.status === next.status && state.error === next.error)) return
    state = next
    outbox.tell('device', next)
    outbox.flush()
  }
  return {
    get state() {
      return state
    },
    open: () => {
      state = { status: 'loading', error: null }
      import('./offline/device.js').then(
        ({ Device }) => {
          if (!closed) copy = new Device({ ...host, changed, report })
        },
        (cause: unknown) => {
          if (closed) return
          changed({
            status: 'failed',
            error: new InkwireError('INKWIRE_DEVICE_UNAVAILABLE', 'not loaded', {
              cause,
            }),
          })
          host.loaded(null)
        },
      )
    },
    look: () => copy?.look(),
    close: () => {
      closed = true
      copy?.close()
    },
  }
}
