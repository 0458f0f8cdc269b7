;; A guest with everything that the contract needs, and holes for what a test is about:
;;   HOOK    the interface, such as `facts`
;;   PLAN    the body of `plan`: leaves the address of its result
;;   DECIDE  the body of `decide`: the same
;;   IMPORTS and MORE: whatever else
;; Results lie where nothing else writes: 1024 is an empty plan, 2048 the answer `whole(7)`.
(module
  IMPORTS
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (loop $again
      (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
        (then
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
          (br $again))))
    (local.get $at))
  (func (export "zhanggui:plugin/HOOK@0.1.0#plan") (param i32) (result i32)
    PLAN)
  (func (export "zhanggui:plugin/HOOK@0.1.0#decide") (param i32) (result i32)
    DECIDE)
  (data (i32.const 2048) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\07\00\00\00\00\00\00\00")
  MORE)
