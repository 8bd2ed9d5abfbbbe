import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const EDITORS = ['codemirror', 'tiptap', 'blocknote', 'quill', 'monaco', 'lexical']
/** That of `server/http/app.ts`, but editors write styles into the page: all of these do but Lexical. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ')
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Builds a page for each editor. They are not part of the package: `npm run demo:editors` builds and serves them. */
export default defineConfig({
  root: at('./'),
  base: './',
  resolve: {
    // A second copy of one of these would not know the other's types.
    dedupe: ['yjs', 'y-protocols', 'lib0'],
    // y-monaco asks for a path that Monaco 0.57 no longer has.
    alias: { 'monaco-editor/esm/vs/editor/editor.api.js': 'monaco-editor/editor/editor.api.js' },
  },
  preview: { headers: { 'Content-Security-Policy': CONTENT_SECURITY_POLICY } },
  build: {
    outDir: at('../../../dist-editors'),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      input: [at('./index.html'), ...EDITORS.map((name) => at(`./${name}/index.html`))],
    },
  },
})
