export * from 'typebox-modules';
export { default } from 'typebox-modules';
