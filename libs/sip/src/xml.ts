import { SaxesParser } from 'saxes';

/** An element as far as metadata needs it: local names only, attributes likewise. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed. */
  readonly text: string;
};

type Building = { name: string; attributes: Map<string, string>; children: Building[]; text: string };

const mostElements = 5_000;
const mostDepth = 32;

/** Stops saxes, which has no other way to be stopped. */
class Stop extends Error {}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Reads XML into a tree, as far as it is well-formed. Names are taken without their prefix, since vendors disagree on
 * namespaces. No entity is expanded but XML's own five; a document type ends the reading. Never throws.
 */
export const parseXml = (
  text: string,
): { readonly root: XmlElement | undefined; readonly problems: readonly string[] } => {
  const problems: string[] = [];
  const stack: Building[] = [];
  let root: Building | undefined;
  let elements = 0;
  const stop = (problem: string): never => {
    problems.push(problem);
    throw new Stop(problem);
  };
  const parser = new SaxesParser();
  parser.on('error', (error) => stop(`XML: ${error.message}`));
  parser.on('doctype', () => stop('XML: a document type is not accepted'));
  parser.on('opentag', ({ name, attributes }) => {
    elements += 1;
    if (elements > mostElements) stop(`XML: more than ${mostElements} elements`);
    if (stack.length >= mostDepth) stop(`XML: nested deeper than ${mostDepth} levels`);
    const element: Building = { name: localName(name), attributes: new Map(), children: [], text: '' };
    for (const [attribute, value] of Object.entries(attributes))
      element.attributes.set(localName(attribute), value);
    stack.at(-1)?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  const append = (more: string): void => {
    const element = stack.at(-1);
    if (element) element.text += more;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    const element = stack.pop();
    if (element) element.text = element.text.trim();
  });
  try {
    parser.write(text).close();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }

  return { root, problems };
};
