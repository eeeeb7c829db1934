import { analysis } from './areas/analysis'
import { boards } from './areas/boards'
import { clv } from './areas/clv'
import { connectors } from './areas/connectors'
import { data } from './areas/data'
import { imports } from './areas/imports'
import { layerings } from './areas/layerings'
import { measure } from './areas/measure'
import { overview } from './areas/overview'
import { people } from './areas/people'
import { plan } from './areas/plan'
import { pulls } from './areas/pulls'
import { settings } from './areas/settings'
import { shell } from './areas/shell'
import { sql } from './areas/sql'
import { surveys } from './areas/surveys'

/** Every sentence of the console, both languages side by side; `tests/messages.test.ts` holds them complete. */
export const messages = { ...shell, ...overview, ...imports, ...layerings, ...people, ...clv, ...analysis, ...boards, ...measure, ...data, ...sql, ...plan, ...connectors, ...pulls, ...surveys, ...settings }

export type MessageKey = keyof typeof messages
