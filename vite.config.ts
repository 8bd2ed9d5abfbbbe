import { defineConfig } from 'vite'

/** Builds the demo page into `dist/demo`, where the server finds it; everything else is built by `tsc`. */
export default defineConfig({
  root: 'client/demo',
  // Relative addresses: the page may lie anywhere behind a proxy.
  base: './',
  build: {
    outDir: '../../dist/demo',
    emptyOutDir: true,
    // Its content security policy knows no data: scripts or styles, and there is one chunk to load.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
