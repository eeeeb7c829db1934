/** One door to the server: JSON in and out, problems as typed errors, uploads with progress, downloads as files. */

export interface ProblemBody {
  type?: string
  title?: string
  status?: number
  detail?: string
  field?: string | null
  reason?: string | null
  choices?: string[] | null
  id?: string | null
}

/** An RFC 9457 answer, or the network's silence (`status` 0). */
export class Problem extends Error {
  readonly status: number
  readonly type: string
  readonly detail: string
  readonly field: string | null
  readonly reason: string | null
  readonly choices: string[]
  readonly id: string | null
  readonly retryAfter: number | null

  constructor(status: number, body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? `HTTP ${status}`)
    this.name = 'Problem'
    this.status = status
    this.type = body.type ?? (status === 0 ? 'urn:tilth:error:unreachable' : 'about:blank')
    this.detail = body.detail ?? body.title ?? ''
    this.field = body.field ?? null
    this.reason = body.reason ?? null
    this.choices = body.choices ?? []
    this.id = body.id ?? null
    this.retryAfter = retryAfter
  }
}

export const API = '/api/v1'

export type QueryValue = string | number | boolean | null | undefined
export type Query = Record<string, QueryValue>

/** `{a: 1, b: undefined, c: ''}` → `?a=1`; nothing set, nothing written. */
export function queryString(query: Query | undefined): string {
  const parts = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') parts.set(name, String(value))
  }
  const text = parts.toString()
  return text === '' ? '' : `?${text}`
}

let whenSignedOut: (() => void) | null = null

/** Called when the server says that the session has ended. */
export function onSignedOut(handler: (() => void) | null): void {
  whenSignedOut = handler
}

function parseBody(text: string): ProblemBody {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value) : {}
  } catch {
    return {}
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const body = parseBody(await response.text())
  const wait = Number(response.headers.get('Retry-After'))
  if (response.status === 401) whenSignedOut?.()
  return new Problem(response.status, body, Number.isFinite(wait) && wait > 0 ? wait : null)
}

async function send(method: string, path: string, options: { query?: Query | undefined; body?: unknown; signal?: AbortSignal | undefined }): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(options.body)
  }
  if (options.signal) init.signal = options.signal
  let response: Response
  try {
    response = await fetch(`${API}${path}${queryString(options.query)}`, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, {})
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

async function json<T>(method: string, path: string, options: { query?: Query | undefined; body?: unknown; signal?: AbortSignal | undefined }): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

export const http = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> => json<T>('GET', path, { query, signal }),
  post: <T>(path: string, body?: unknown, query?: Query, signal?: AbortSignal): Promise<T> => json<T>('POST', path, { body: body ?? {}, query, signal }),
  put: <T>(path: string, body: unknown): Promise<T> => json<T>('PUT', path, { body }),
  patch: <T>(path: string, body: unknown): Promise<T> => json<T>('PATCH', path, { body }),
  delete: <T>(path: string): Promise<T> => json<T>('DELETE', path, {}),
}

/** `attachment; filename*=UTF-8''x.csv` or `filename="x.csv"` → `x.csv`. */
export function attachmentName(header: string | null, fallback: string): string {
  if (!header) return fallback
  const extended = /filename\*=(?:UTF-8|utf-8)''([^;]+)/.exec(header)?.[1]
  if (extended) {
    try {
      return decodeURIComponent(extended)
    } catch {
      return fallback
    }
  }
  return /filename="?([^";]+)"?/.exec(header)?.[1] ?? fallback
}

export function saveBlob(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

export async function download(method: 'GET' | 'POST', path: string, fallbackName: string, options: { query?: Query; body?: unknown } = {}): Promise<void> {
  const response = await send(method, path, options)
  saveBlob(await response.blob(), attachmentName(response.headers.get('Content-Disposition'), fallbackName))
}

/** A multipart upload; `onProgress` gets the share sent, 0 to 1. `fetch` cannot report that, so this is the older API. */
export function upload<T>(path: string, files: File[], onProgress: (share: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const form = new FormData()
    for (const file of files) form.append('file', file, file.name)
    const request = new XMLHttpRequest()
    request.open('POST', `${API}${path}`)
    request.setRequestHeader('Accept', 'application/json')
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as T)
        return
      }
      if (request.status === 401) whenSignedOut?.()
      reject(new Problem(request.status, parseBody(request.responseText)))
    }
    request.onerror = () => reject(new Problem(0, {}))
    request.onabort = () => reject(new DOMException('Aborted', 'AbortError'))
    signal.addEventListener('abort', () => request.abort())
    request.send(form)
  })
}
