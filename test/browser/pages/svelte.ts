/** The page of the Svelte test; the component is compiled by the test. */
import { mount, unmount } from 'svelte'
// Its types are those of any component.
import Notes from './notes.svelte'

const [server = '', user = ''] = decodeURIComponent(location.hash.slice(1)).split(' ')
const target = document.body.appendChild(document.createElement('main'))
let name = 'notes'
const show = (): object => mount(Notes, { target, props: { server, user, name } })
let shown: object | null = show()

Object.assign(window, {
  setShown: (value: boolean) => {
    if (shown) void unmount(shown)
    shown = value ? show() : null
  },
  setName: (value: string) => {
    name = value
    window.setShown(true)
  },
})
