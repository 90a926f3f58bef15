import type Type from 'typebox';

type SchemaNode = {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const projectNode = (schema: SchemaNode, value: unknown): unknown => {
  const { properties, items } = schema;
  if (items && Array.isArray(value)) return value.map((item) => projectNode(items, item));
  if (!properties || !isRecord(value)) return value;

  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, property]) =>
      value[key] === undefined ? [] : [[key, projectNode(property, value[key])]],
    ),
  );
};

/**
 * What of a value a public schema shows: its fields only, in its order, those that are undefined left out. So nothing of
 * ours gets out that the schema doesn't promise. The value must have the schema's shape; it is not checked.
 */
export const project = <S extends Type.TSchema>(schema: S, value: Type.Static<S>): Type.Static<S> =>
  projectNode(schema as SchemaNode, value) as Type.Static<S>;
