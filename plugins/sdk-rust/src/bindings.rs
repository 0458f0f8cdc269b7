//! What `wit-bindgen` makes of the contract: the words once, and each hook's exports on their own, so that a plugin
//! exports only the hooks that it has.
#![allow(missing_docs, clippy::all, unsafe_op_in_unsafe_fn)]

pub mod words {
    wit_bindgen::generate!({
        path: "../wit/0.1.0",
        inline: "
            package zhanggui:sdk;
            world words {
                import zhanggui:plugin/types@0.1.0;
                import zhanggui:plugin/logging@0.1.0;
                import zhanggui:plugin/config@0.1.0;
                import zhanggui:plugin/kv@0.1.0;
            }
        ",
        world: "zhanggui:sdk/words",
        generate_all,
        additional_derives: [PartialEq, Eq],
    });
}

macro_rules! hook {
    ($module:ident, $world:literal, $in:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../wit/0.1.0",
                world: $world,
                with: {
                    "zhanggui:plugin/types@0.1.0": crate::bindings::words::zhanggui::plugin::types,
                    "zhanggui:plugin/logging@0.1.0": crate::bindings::words::zhanggui::plugin::logging,
                    "zhanggui:plugin/config@0.1.0": crate::bindings::words::zhanggui::plugin::config,
                    "zhanggui:plugin/kv@0.1.0": crate::bindings::words::zhanggui::plugin::kv,
                },
                pub_export_macro: true,
                default_bindings_module: $in,
                additional_derives: [PartialEq, Eq],
            });
        }
    };
}

hook!(facts, "facts-plugin", "zhanggui_plugin::bindings::facts");
hook!(check, "check-plugin", "zhanggui_plugin::bindings::check");
hook!(quote, "quote-plugin", "zhanggui_plugin::bindings::quote");
hook!(notify, "notify-plugin", "zhanggui_plugin::bindings::notify");
