import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connect, Plugin } from 'vite'
import { answer } from './routes.ts'

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock')
  const text = await bodyOf(request)
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  const result = answer(request.method ?? 'GET', url.pathname.replace('/api/v1', ''), url.searchParams, json)
  response.statusCode = result.status
  for (const [name, value] of Object.entries(result.headers ?? {})) response.setHeader(name, value)
  if (typeof result.body === 'string') {
    response.end(result.body)
    return
  }
  response.setHeader('Content-Type', result.status >= 400 ? 'application/problem+json' : 'application/json')
  response.end(result.status === 204 ? undefined : JSON.stringify(result.body))
}

const middleware: Connect.NextHandleFunction = (request, response, next) => {
  if (!request.url?.startsWith('/api/v1')) {
    next()
    return
  }
  void reply(request, response)
}

/** Answers `/api/v1` with a made-up tea shop during development and preview. It runs beside Vite and is never in the build. */
export function mockApi(): Plugin {
  return {
    name: 'tilth-mock-api',
    configureServer(server) {
      server.middlewares.use(middleware)
    },
    configurePreviewServer(server) {
      server.middlewares.use(middleware)
    },
  }
}
