//! The line that makes a type a plugin.

/// Exports the hooks of a plugin: `zhanggui_plugin::export!(Plugin: facts, notify);`. Each hook's trait must be
/// implemented for the type. A panic's message is logged before the call ends.
#[macro_export]
macro_rules! export {
    ($plugin:ident : $($hook:ident),+ $(,)?) => {
        $($crate::__export_hook!($plugin, $hook);)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    ($plugin:ident, facts) => { $crate::__export_as!($plugin, facts, Facts, FactsStep); };
    ($plugin:ident, check) => { $crate::__export_as!($plugin, check, Check, CheckStep); };
    ($plugin:ident, quote) => { $crate::__export_as!($plugin, quote, Quote, QuoteStep); };
    ($plugin:ident, notify) => { $crate::__export_as!($plugin, notify, Notify, NotifyStep); };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_as {
    ($plugin:ident, $hook:ident, $trait:ident, $step:ident) => {
        const _: () = {
            #[allow(dead_code, reason = "natively there is nobody to export to, but the hook is checked to be there")]
            struct Exported;
            impl $crate::bindings::$hook::exports::zhanggui::plugin::$hook::Guest for Exported {
                fn plan(call: $crate::Call) -> Result<Vec<$crate::HttpRequest>, $crate::Error> {
                    $crate::begin();
                    <$plugin as $crate::$trait>::plan(&call)
                }
                fn decide(
                    call: $crate::Call,
                    responses: Vec<$crate::HttpResponse>,
                ) -> Result<$crate::$step, $crate::Error> {
                    $crate::begin();
                    <$plugin as $crate::$trait>::decide(&call, &$crate::Responses::new(&responses))
                }
            }
            #[cfg(target_arch = "wasm32")]
            $crate::bindings::$hook::export!(Exported with_types_in $crate::bindings::$hook);
        };
    };
}

/// Without a hook of its own a panic in wasm says nothing but `unreachable`.
pub fn begin() {
    std::panic::set_hook(Box::new(|info| crate::log::error(&info.to_string())));
}
