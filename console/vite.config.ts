import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { mockApi } from './dev/mock/plugin.ts'

/** With TILTH_API=http://127.0.0.1:8765 the development server talks to a real server; without it, to the mock. */
const api = process.env.TILTH_API

export default defineConfig({
  plugins: [react(), ...(api ? [] : [mockApi()])],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { ...(api ? { proxy: { '/api': { target: api, changeOrigin: true } } } : {}) },
  build: {
    outDir: '../src/tilth/server/static',
    emptyOutDir: true,
    target: 'es2022',
    // The server's content policy allows no data: scripts, and small images are as fast as files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|react-router|@tanstack[\\/](react-)?query[^\\/]*)[\\/]/, priority: 2 },
            { name: 'codemirror', test: /node_modules[\\/](@codemirror|@lezer|style-mod|w3c-keyname|crelt)[\\/]/, priority: 2 },
          ],
        },
      },
    },
  },
})
