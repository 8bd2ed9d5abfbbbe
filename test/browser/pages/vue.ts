/** The page of the Vue test. */
import { createApp, h, ref } from 'vue'
import { useDocument, usePresence, useSaveState, useText } from '../../../client/vue/index.js'

const [server = '', user = ''] = decodeURIComponent(location.hash.slice(1)).split(' ')
const name = ref('notes')
const shown = ref(true)

const Notes = {
  setup() {
    const notes = useDocument(server, name)
    const text = useText(() => notes.value.doc?.getText('body'))
    const saves = useSaveState(() => notes.value.provider)
    const others = usePresence(() => notes.value.provider, { name: user })
    return () => [
      h('button', { onClick: () => notes.value.doc?.getText('body').insert(0, user) }, 'write'),
      h('output', { id: 'status' }, `${notes.value.status} ${notes.value.synced}`),
      h('output', { id: 'text' }, text.value),
      h('output', { id: 'save' }, saves.value.status),
      h('output', { id: 'others' }, others.value.map((person) => person.name).join()),
    ]
  },
}

createApp({ render: () => (shown.value ? h(Notes) : null) }).mount(
  document.body.appendChild(document.createElement('main')),
)
Object.assign(window, {
  setName: (value: string) => {
    name.value = value
  },
  setShown: (value: boolean) => {
    shown.value = value
  },
})
