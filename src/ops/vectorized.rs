//! Safe loops on the widest instructions that the machine has.

/// Makes a function that runs its body, and what is inlined into it, compiled for the machine's widest instructions
/// (AVX-512, AVX2, NEON …). Type parameters stand in square brackets: `fn scale[T: Real](row: &mut [T], by: T) { … }`.
///
/// A macro, since a closure handed to a function is inlined only where it is small, and otherwise runs on the narrowest
/// instructions unnoticed. For the same reason long loops in a body are `for` loops, and what they call is
/// `#[inline(always)]`.
macro_rules! vectorized {
    (
        $(#[$attribute:meta])*
        fn $name:ident $([$($generics:tt)*])? ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        fn $name $(<$($generics)*>)? ($($argument: $type),*) $(-> $result)? {
            struct Work<A>(A);
            impl $(<$($generics)*>)? pulp::NullaryFnOnce for Work<($($type,)*)> {
                type Output = $crate::ops::vectorized!(@result $($result)?);

                #[inline(always)]
                fn call(self) -> Self::Output {
                    let Work(($($argument,)*)) = self;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Work(($($argument,)*)))
        }
    };
    (@result $result:ty) => { $result };
    (@result) => { () };
}
pub(crate) use vectorized;
