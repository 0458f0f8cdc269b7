//! Makes `zhanggui.h` and `zhanggui.c` from the contract: `generate WIT_FOLDER OUT_FOLDER`. Whoever changes the contract
//! runs it; an `expect` that fails is to stop it.
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::Files;

const HOOKS: [&str; 4] = ["facts", "check", "quote", "notify"];

const ALL: &str = "
package guest:plugin;
world zhanggui {
  import zhanggui:plugin/logging@0.1.0;
  import zhanggui:plugin/config@0.1.0;
  import zhanggui:plugin/kv@0.1.0;
  export zhanggui:plugin/facts@0.1.0;
  export zhanggui:plugin/check@0.1.0;
  export zhanggui:plugin/quote@0.1.0;
  export zhanggui:plugin/notify@0.1.0;
}
";

fn main() {
    let mut args = std::env::args().skip(1);
    let (wit, out) = (args.next().expect("WIT_FOLDER"), args.next().expect("OUT_FOLDER"));
    let mut resolve = Resolve::default();
    resolve.push_path(wit).expect("the contract is read");
    let guest = resolve.push_source("all.wit", ALL).expect("the world is read");
    let world = resolve.select_world(&[guest], Some("zhanggui")).expect("the world is there");
    let mut options = wit_bindgen_c::Opts::default();
    // The types are put into the module after it was linked.
    options.no_object_file = true;
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).expect("bindings are made");
    for (name, bytes) in files.iter() {
        let text = String::from_utf8(bytes.to_vec()).expect("bindings are text");
        let text = if name.ends_with(".c") { by_hook(&text) } else { text };
        std::fs::write(std::path::Path::new(&out).join(name), text).expect("bindings are written");
    }
}

/// A plugin has some of the hooks: each exported function stands only where its hook is defined.
fn by_hook(text: &str) -> String {
    let body = text.split("\n// Ensure that the *_component_type.o").next().unwrap_or(text);
    let (mut out, mut open) = (String::new(), false);
    for line in body.lines() {
        let exported = line.starts_with("__attribute__") && line.contains("__export_name__");
        let of = |hook: &&&str| line.contains(&format!("plugin/{hook}@"));
        if let Some(hook) = HOOKS.iter().find(of).filter(|_| exported) {
            out.push_str(&format!("#ifdef ZHANGGUI_{}\n", hook.to_uppercase()));
            open = true;
        }
        out.push_str(line);
        out.push('\n');
        if open && line == "}" {
            out.push_str("#endif\n");
            open = false;
        }
    }
    out
}
