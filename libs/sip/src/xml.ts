import { SaxesParser } from 'saxes';

/** An element as far as metadata needs it: local names, attributes likewise. */
export type XmlElement = {
  readonly name: string;
  /** URI of its namespace; empty where it has none, or a prefix that nobody declared. */
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed. */
  readonly text: string;
};

type Building = {
  name: string;
  namespace: string;
  attributes: Map<string, string>;
  children: Building[];
  text: string;
};

const mostElements = 5_000;
const mostDepth = 32;
const mostProblems = 20;

/** Stops saxes, which has no other way to be stopped. */
class Stop extends Error {}

/** A prefix that nobody declared is an oddity of vendors' extensions: what it names can still be told. */
const isTolerable = ({ message }: Error): boolean => message.includes('unbound namespace prefix');

/**
 * Reads XML into a tree, as far as it is well-formed. Namespaces are told, not judged: vendors
 * disagree on them. No entity is expanded but XML's own five; a document type ends the reading. Never throws.
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
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    if (!isTolerable(error)) stop(`XML: ${error.message}`);
    else if (problems.length < mostProblems) problems.push(`XML: ${error.message}`);
  });
  parser.on('doctype', () => stop('XML: a document type is not accepted'));
  parser.on('opentag', ({ local, uri, attributes }) => {
    elements += 1;
    if (elements > mostElements) stop(`XML: more than ${mostElements} elements`);
    if (stack.length >= mostDepth) stop(`XML: nested deeper than ${mostDepth} levels`);
    const element = { name: local, namespace: uri, attributes: new Map(), children: [], text: '' };
    for (const { local: name, value } of Object.values(attributes)) element.attributes.set(name, value);
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
