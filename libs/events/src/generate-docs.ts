import { readFileSync, writeFileSync } from 'node:fs';
import type Type from 'typebox';
import { catalogue } from './catalogue.ts';
import { Envelope } from './envelope.ts';
import { sessionFlags } from './flag.ts';
import { publicTypes, WebhookBody } from './public/webhook.ts';

/** Writes docs/events.md from the catalogue; with `--check` only tells (exit code 1) whether it is current. */

const target = new URL('../../../docs/events.md', import.meta.url);

type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly format?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
};

const asJson = (schema: Type.TSchema): JsonSchema => JSON.parse(JSON.stringify(schema)) as JsonSchema;

const typeName = (schema: JsonSchema): string => {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' \\| ');
  if (schema.items) return `array of ${typeName(schema.items)}`;

  return schema.format ?? schema.type ?? 'any';
};

const describe = (schema: JsonSchema): string => {
  const alternatives = (schema.anyOf ?? []).flatMap(({ const: value, description }) =>
    description === undefined ? [] : [`\`${String(value)}\`: ${description}`],
  );

  return [schema.description, ...alternatives].filter((part) => part !== undefined).join('; ');
};

/** Rows for an object's properties; those of objects within follow, with a dotted path. */
const rows = (schema: JsonSchema, path = ''): readonly string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = `${path}${key}`;
    const optional = schema.required?.includes(key) ? '' : ' (optional)';
    const inner = property.items?.properties ? property.items : property;

    return [
      `| \`${name}\`${optional} | ${typeName(property)} | ${describe(property)} |`,
      ...rows(inner, `${name}${inner === property ? '' : '[]'}.`),
    ];
  });

const table = (schema: Type.TSchema): string =>
  ['| field | type | meaning |', '|---|---|---|', ...rows(asJson(schema))].join('\n');

const example = (type: string, schema: number): string =>
  readFileSync(new URL(`../fixtures/${type}.${schema}.json`, import.meta.url), 'utf8').trimEnd();

const section = ([type, { family, schema, summary, data }]: [
  string,
  (typeof catalogue)[keyof typeof catalogue],
]): string =>
  `## ${type}

${summary} Subject \`ev.${family}.<key>\`, schema ${schema}${publicTypes.some((known) => known === type) ? ', delivered to subscribers' : ''}.

${table(data)}

<details><summary>Example</summary>

\`\`\`json
${example(type, schema)}
\`\`\`

</details>
`;

const flagRows = Object.entries(sessionFlags).map(([flag, meaning]) => `| \`${flag}\` | ${meaning} |`);

const page = `# Events

Generated from \`libs/events\`; do not edit. Every fact of the system is one of these, on the stream \`EVENTS\`.

## The envelope

CloudEvents 1.0 attributes and ours.

${table(Envelope)}

## The webhook body

What a subscriber gets (Standard Webhooks headers, signed). For session and recording events \`data\` is the session as
\`GET /api/v1/sessions/{id}\` shows it, as of the event; for tags it is the event's own data with that session as
\`session\`; for the others it is the event's own data.

${table(WebhookBody)}

## Flags

A call that can be recorded is recorded, however odd it is; what was odd is kept as the session's \`flags\`. A flag once raised stays,
except \`unpaired-leg\`.
No word changes its meaning; new ones may come.

${['| flag | meaning |', '|---|---|', ...flagRows].join('\n')}

${Object.entries(catalogue).map(section).join('\n')}`;

const current = (): string | undefined => {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return undefined;
  }
};

if (!process.argv.includes('--check')) {
  writeFileSync(target, page);
} else if (current() !== page) {
  process.stderr.write('docs/events.md is not current: run `pnpm run docs`\n');
  process.exitCode = 1;
}
