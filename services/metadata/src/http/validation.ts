import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import type Type from 'typebox';
import { Compile } from 'typebox/compile';
import { Convert, Default } from 'typebox/value';
import { Problem } from './problem.ts';

type Fault = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
};

const firstOf = (value: unknown): string | undefined =>
  Array.isArray(value) && typeof value[0] === 'string' ? value[0] : undefined;

/** The name of the field that is to blame: an unknown or missing one, or where the bad value is. */
const fieldOf = ({ keyword, instancePath, params }: Fault): string => {
  const at = instancePath.split('/').slice(1);
  const named =
    keyword === 'additionalProperties' && 'additionalProperties' in params
      ? firstOf(params.additionalProperties)
      : keyword === 'required' && 'requiredProperties' in params
        ? firstOf(params.requiredProperties)
        : undefined;

  return [...at, ...(named === undefined ? [] : [named])].join('.');
};

const explain = (fault: Fault, field: string): string => {
  switch (fault.keyword) {
    case 'additionalProperties':
      return `${field} is not known here`;
    case 'required':
      return `${field} is missing`;
    default:
      return `${field === '' ? 'the body' : field} ${fault.message}`;
  }
};

/** Checks requests against their TypeBox schemas. Parameters are text, so numbers are read from it; bodies are taken as they are. */
export const validatorCompiler: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  // Routes declare their schemas with TypeBox throughout.
  const type = schema as Type.TSchema;
  const validator = Compile(type);
  const isBody = httpPart === 'body';

  return (data: unknown) => {
    const value = isBody ? data : Default(type, Convert(type, data));
    if (validator.Check(value)) return { value };
    const faults: readonly Fault[] = validator.Errors(value);
    const unknownField = faults.find(({ keyword }) => keyword === 'additionalProperties');
    const fault = unknownField ?? faults[0];
    if (!fault) return { error: new Problem(400, 'INVALID_BODY', 'the request is not valid') };
    const field = fieldOf(fault);
    const code = isBody ? 'INVALID_BODY' : 'INVALID_PARAMETER';

    return { error: new Problem(400, code, explain(fault, field), field) };
  };
};
