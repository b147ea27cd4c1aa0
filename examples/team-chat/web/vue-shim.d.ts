// What a .vue file exports, for the type checker, which does not read them.
declare module "*.vue" {
  import type { Component } from "vue";

  const component: Component;

  export { component as default };
}
